// Theme, size of text and contrast, as the reader chose them on this device. A classic script, first in the head: it
// runs before anything is painted. Nothing leaves the device; where nothing can be kept, it holds for this page.
(() => {
  "use strict";
  const KEY = "pregon.ajustes";
  const SETTINGS = {
    tema: { title: "Tema", options: { "": "Automático", claro: "Claro", oscuro: "Oscuro" } },
    texto: {
      title: "Tamaño del texto",
      options: { "": ["A−", "Texto normal"], 125: ["A", "Texto grande"], 150: ["A+", "Texto muy grande"] },
    },
    contraste: { title: "Contraste", options: { "": "Normal", alto: "Alto" } },
  };
  const root = document.documentElement;
  let chosen = read();
  let kept = true;
  let refresh = () => {};

  function read() {
    try {
      const found = JSON.parse(localStorage.getItem(KEY)) ?? {};
      return Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, String(found[name] ?? "")]));
    } catch {
      return {};
    }
  }

  function apply() {
    for (const [name, { options }] of Object.entries(SETTINGS)) {
      const value = chosen[name];
      if (value && Object.keys(options).includes(value)) root.dataset[name] = value;
      else delete root.dataset[name];
    }
  }

  function choose(name, value) {
    chosen = { ...chosen, [name]: value };
    apply();
    try {
      localStorage.setItem(KEY, JSON.stringify(chosen));
      kept = true;
    } catch {
      kept = false;
    }
    refresh();
  }

  function make(tag, properties, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  function group(name, { title, options }, buttons) {
    const box = make("div", { className: "ajuste" }, make("span", { className: "ajuste-nombre" }, title));
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", title);
    for (const value of Object.keys(options).sort()) {
      const [words, label] = [options[value]].flat();
      const button = make("button", { type: "button", onclick: () => choose(name, value) }, words);
      if (label) button.setAttribute("aria-label", label);
      buttons.push(() => button.setAttribute("aria-pressed", String((root.dataset[name] ?? "") === value)));
      box.append(button);
    }
    return box;
  }

  function controls() {
    const header = document.querySelector(".cabecera");
    if (!header) return;
    const buttons = [];
    const note = make("p", { className: "menor" });
    const groups = Object.entries(SETTINGS).map(([name, setting]) => group(name, setting, buttons));
    const summary = make("summary", {}, make("span", { className: "visible-lector" }, "Apariencia: tema, texto y contraste"));
    const details = make("details", { className: "ajustes" }, summary, make("div", { className: "ajustes-panel" }, ...groups, note));
    details.setAttribute("data-conserva", "");
    refresh = () => {
      for (const button of buttons) button();
      note.textContent = kept ? "Se guarda sólo en este dispositivo." : "Su navegador no permite guardarlo: vale en esta página.";
    };
    refresh();
    details.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !details.open) return;
      details.open = false;
      summary.focus();
    });
    document.addEventListener("click", (event) => { if (!details.contains(event.target)) details.open = false; });
    header.append(details);
  }

  // The modules of the page (data-guiones) come once it is painted, or soon if nobody sees it.
  function later(names) {
    let asked = false;
    const ask = () => {
      if (!asked) for (const name of names) import(`./${name}`).catch(() => {}); // without them the page is complete
      asked = true;
    };
    setTimeout(ask, 3000);
    try {
      new PerformanceObserver(ask).observe({ type: "paint", buffered: true });
    } catch {
      addEventListener("load", ask);
    }
  }

  apply();
  root.dataset.ajustes = ""; // its place in the header is kept from the first paint
  later(document.currentScript.dataset.guiones.split(" ").filter(Boolean));
  document.addEventListener("DOMContentLoaded", controls);
  addEventListener("storage", (event) => {
    if (event.key !== KEY && event.key !== null) return;
    chosen = read();
    apply();
    refresh();
  });
})();
