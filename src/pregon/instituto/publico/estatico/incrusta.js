// Puts one of the public pages where this script is, in a frame as tall as the page:
// <script src="https://…/incrusta.js" data-pagina="difusores|situacion|noche" async></script>
(() => {
  const ours = document.currentScript;
  const pages = { difusores: ["index.html", "Difusores oficiales"], situacion: ["situacion.html", "Cómo van los difusores"],
    noche: ["noche.html", "La noche hasta ahora"] };
  const [route, title] = pages[ours.dataset.pagina] ?? pages.difusores;
  const frame = Object.assign(document.createElement("iframe"), { src: new URL(route, ours.src).href, title });
  Object.assign(frame.style, { border: "0", width: "100%", height: "40rem" });
  addEventListener("message", ({ source, data }) => {
    if (source === frame.contentWindow && data?.pregon === "alto" && Number.isFinite(data.alto)) {
      frame.style.height = `${Math.min(Math.max(data.alto, 100), 50_000)}px`;
    }
  });
  ours.after(frame);
})();
