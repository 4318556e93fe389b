// Colours and style of <pregon-resultados>. The three tables are written by ajenos.py, from the portal's own style sheet.
const CLAROS = {};
const OSCUROS = {};
const SIGLAS = {};
const OWN = new Map(Object.entries(SIGLAS));
const NEUTROS = 8;

/** The colour class of a vote column: the party's own, or a neutral one by its place on the acta. */
export function clase(parties, key) {
  const place = parties.findIndex((party) => party.clave === key);
  const siglas = parties[place]?.siglas ?? key;
  if (OWN.has(siglas)) return `c-${OWN.get(siglas)}`;
  if (siglas.startsWith("Ind.")) return "c-ind";
  return `c-t${((place < 0 ? parties.length : place) % NEUTROS) + 1}`;
}

const variables = (table) => Object.entries(table).map(([name, color]) => `--${name}:${color}`).join(";");
const fills = Object.keys(CLAROS).map((name) => `.c-${name}{fill:var(--${name})}`).join("");

/** The style sheet of the component, for `adoptedStyleSheets`, which need nothing of the page's policy. */
export const HOJA = `
:host{all:initial;display:block;color-scheme:light;${variables(CLAROS)};
  font:1rem/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif;font-size:inherit;
  font-variant-numeric:tabular-nums lining-nums;color:var(--tinta);container-type:inline-size}
:host([hidden]){display:none}
:host(:focus-within){outline:1px solid var(--gris);outline-offset:3px}
:host([tema="oscuro"]){color-scheme:dark;${variables(OSCUROS)}}
@media (prefers-color-scheme:dark){:host(:not([tema="claro"])){color-scheme:dark;${variables(OSCUROS)}}}
*{box-sizing:border-box}
.todo,.aviso:not(:empty){background:var(--hoja);border:1px solid var(--linea);padding:.8em 1em}
.todo{border-radius:4px}
.todo:empty{display:none}
.aviso{margin:0}
.aviso:not(:empty){border-inline-start:4px solid var(--acento);margin-top:.4em;font-size:.9375em}
p{margin:.4em 0 0}
.todo>:first-child{margin-top:0}
.simulacro{background:var(--aviso);color:var(--aviso-t);padding:.35em .6em;font-size:.875em}
.simulacro strong{letter-spacing:.12em}
h3{font:700 1.3em/1.2 Georgia,"Noto Serif","Liberation Serif","Times New Roman",serif;margin:.4em 0 0}
.corte,.legal{font-size:.875em}
.corte{color:var(--gris)}
.avance{display:flex;flex-wrap:wrap;gap:.2em 1.6em;margin:.6em 0 .5em}
.avance dt{font-size:.8125em;color:var(--gris)}
.avance dd{margin:0;font-size:.875em}
.avance b{font-size:1.15em}
svg{display:block}
.medidor{width:100%;height:8px;background:var(--fondo-m);margin-bottom:.9em}
.m-capturadas{fill:var(--avance-2)}.m-contabilizadas{fill:var(--avance)}
table{border-collapse:collapse;width:100%;font-size:.95em}
caption{text-align:start;font-weight:700;padding-bottom:.3em}
th{font-weight:400;text-align:start}
thead th{font-size:.8125em;color:var(--gris);border-bottom:1px solid var(--tinta);vertical-align:bottom}
th,td{padding:.4em 0 .4em .6em;vertical-align:top}
th:first-child{padding-inline-start:0}
td,.n{text-align:end;white-space:nowrap}
tbody tr{position:relative}
tbody tr>*{padding-bottom:1.3em;border-bottom:1px solid var(--linea-2)}
tbody b,.quien small{overflow-wrap:anywhere}
tbody th{width:100%}
.quien{display:flex;gap:.5em;align-items:flex-start}
.quien b{display:block;font-weight:500;line-height:1.3}
.quien small{font-size:.8125em;color:var(--gris)}
.ficha{flex:none;width:18px;height:18px;margin-top:.1em;border-radius:3px}
.barra{position:absolute;inset:auto 0 .5em 0;width:100%;height:9px;background:var(--linea-2);border-radius:2px}
.gana b,.gana td{font-weight:700}
tfoot th,tfoot td{color:var(--gris);font-size:.9em;padding-block:.25em}
.total>*{color:var(--tinta);font-weight:700}
a{color:var(--acento)}
a:focus-visible{outline:3px solid var(--acento);outline-offset:2px}
@container (max-width:26rem){.avance{display:block}.avance>div{display:flex;justify-content:space-between;gap:1em}
  table,table>*{display:block}tr{display:grid;grid-template:auto 1fr/minmax(0,1fr) auto;column-gap:.6em;border-bottom:1px solid var(--linea-2);padding:.35em 0}
  tr>*{border:0;padding:0}tr>:first-child{grid-row:span 2}tr>:last-child{font-size:.9em}tbody tr{padding-bottom:1.3em}tbody tr>*{border:0;padding:0}thead tr{border-color:var(--tinta)}}
@media print{svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
@media (forced-colors:active){svg{forced-color-adjust:none}}
${fills}`;
