// The page works without this: it only puts in place what the server says has changed, part by part.
const main = document.getElementById("foto");
const link = document.getElementById("enlace");
const stream = new EventSource("/flujo");
let quiet;

function alive() {
  link.textContent = "";
  clearTimeout(quiet);
  quiet = setTimeout(lost, 40_000);
}

function lost() {
  link.textContent = stream.readyState === EventSource.CLOSED
    ? "La sesión terminó o el servicio se detuvo. Vuelva a cargar la página."
    : "Sin conexión con el panel; se reintenta. Lo que ve puede no estar al día.";
}

stream.addEventListener("foto", (event) => {
  alive();
  const next = new DOMParser().parseFromString(event.data, "text/html").body;
  const wanted = [...next.querySelectorAll("[data-parte]")];
  const names = wanted.map((part) => part.dataset.parte);
  const present = [...main.querySelectorAll("[data-parte]")];
  if (names.join() !== present.map((part) => part.dataset.parte).join()) {
    main.replaceChildren(...next.childNodes);
    return;
  }
  // Only what is different: who reads with the fingers or the ears keeps their place.
  wanted.forEach((part, place) => {
    if (part.outerHTML !== present[place].outerHTML) present[place].replaceWith(part);
  });
});
stream.addEventListener("latido", alive);
stream.onopen = alive;
stream.onerror = lost;
