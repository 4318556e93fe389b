// For the page that embeds pages of this portal: gives each iframe the height that the page inside it says it has.
// Include it once, anywhere: <script src="…/incrusta/altura.js"></script>
(() => {
  "use strict";
  const LEAST = 80;
  const MOST = 60000;

  function origin(frame) {
    try {
      return new URL(frame.src, document.baseURI).origin;
    } catch {
      return null;
    }
  }

  addEventListener("message", (event) => {
    const said = event.data;
    if (said === null || typeof said !== "object" || said.tipo !== "pregon:alto" || !Number.isFinite(said.alto)) return;
    // Who speaks is known by its window and its origin, never by what it says of itself.
    for (const frame of document.getElementsByTagName("iframe")) {
      if (frame.contentWindow !== event.source || origin(frame) !== event.origin) continue;
      const borders = getComputedStyle(frame).boxSizing === "border-box" ? frame.offsetHeight - frame.clientHeight : 0;
      frame.style.height = `${Math.min(Math.max(Math.ceil(said.alto), LEAST), MOST) + borders}px`;
    }
  });

  // Those that spoke before this script was here.
  for (const frame of document.getElementsByTagName("iframe")) {
    frame.contentWindow?.postMessage({ tipo: "pregon:cuanto" }, "*"); // a question without anything in it
  }
})();
