// Elements, and numbers as the pages write them: for the pages and for <pregon-resultados> (ajenos.py).

// An element with its attributes and what is in it; text is only ever text.
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export const count = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");
export const percent = (text) => `${text}\u00a0%`;

// Four decimals, truncated, as everywhere (prep/percent.py); exact: both numbers are whole and far below 2^53.
export function trunc4(part, whole) {
  if (whole === 0) return "0.0000";
  const scaled = (part * 1_000_000 - (part * 1_000_000) % whole) / whole;
  return `${Math.floor(scaled / 10_000)}.${String(scaled % 10_000).padStart(4, "0")}`;
}
