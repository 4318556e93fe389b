// On the page that explains how to embed: the snippets name this portal's own address, and each can be copied.
import(new URL("pregon-resultados.js", document.baseURI).href); // the preview, as any other page would load it
const root = new URL(document.querySelector("[data-raiz]").dataset.raiz, document.baseURI).href;
for (const place of document.querySelectorAll("[data-portal]")) place.textContent = root;
// A new cut must not undo this page (relevo.js).
for (const piece of document.querySelectorAll("[data-portal], .trozo")) piece.setAttribute("data-conserva", "");

for (const piece of document.querySelectorAll(".trozo")) {
  const code = piece.querySelector("code");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copiar";
  button.setAttribute("aria-label", `Copiar: ${piece.querySelector("pre").getAttribute("aria-label")}`);
  const told = document.createElement("span");
  told.className = "visible-lector";
  told.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      told.textContent = "Copiado";
      button.textContent = "Copiado";
    } catch {
      getSelection().selectAllChildren(code); // without permission the reader copies what is selected
      told.textContent = "Seleccionado: cópielo con el teclado";
    }
    setTimeout(() => { button.textContent = "Copiar"; told.textContent = ""; }, 4000);
  });
  piece.append(button, told);
}
