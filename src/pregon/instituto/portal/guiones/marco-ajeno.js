// Asked for only inside another page's iframe: tells that page how high this one is, and keeps the bare view while the reader moves.
function tell() {
  const alto = Math.ceil(document.body.getBoundingClientRect().height);
  window.parent.postMessage({ tipo: "pregon:alto", alto, ruta: location.pathname }, "*"); // nothing that is not public
}

// The style sheet does it by :target; a link to a part of the page, or to another page, must not undo it.
function stayBare() {
  document.documentElement.classList.add("incrustada");
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a[href]");
    if (!link || link.hash || link.hasAttribute("download")) return;
    if (link.origin === location.origin && link.pathname.endsWith(".html")) link.hash = "incrusta";
  });
}

if (location.hash === "#incrusta") stayBare();
new ResizeObserver(tell).observe(document.body);
addEventListener("message", (event) => {
  if (event.source === window.parent && event.data?.tipo === "pregon:cuanto") tell();
});
