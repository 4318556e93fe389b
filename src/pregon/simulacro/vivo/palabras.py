"""What of a rehearsal is said in words: each kind of fault, what must be seen under it, and what is. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pregon.simulacro.fallas.plan import Clase, Falla
    from pregon.simulacro.notas.espera import Esperado

NOMBRES: Final[Mapping[str, str]] = {
    "corte_tarde": "Corte tarde",
    "corte_omitido": "Corte omitido",
    "instituto_perdido": "Instituto detenido",
    "instituto_relevado": "Relevo del instituto",
    "instituto_recuperado": "Instituto rehecho",
    "corrompido": "Archivo alterado",
    "truncado": "Archivo incompleto",
    "corte_viejo": "Corte viejo",
    "llave_ajena": "Firma ajena",
    "enlace_cortado": "Enlace cortado",
    "enlace_lento": "Enlace lento",
    "enlace_con_perdidas": "Enlace con pérdidas",
    "disco_lleno": "Disco lleno",
    "reloj": "Reloj desfasado",
    "proceso_muerto": "Proceso muerto",
    "servidor_muerto": "Servidor muerto",
    "avalancha": "Avalancha de lectores",
    "purga_negada": "Caché que no olvida",
}
"""What each kind of fault is called before people who never saw a plan."""


def nombre(clase: Clase) -> str:
    """A kind of fault, in words."""
    return NOMBRES.get(clase, clase.replace("_", " ").capitalize())


def quien(objetivo: str) -> str:
    """On whom."""
    return "el instituto" if objetivo == "instituto" else objetivo


def el_corte(numero: int) -> str:
    """A cut, or what there is before the first."""
    return f"el corte {numero:04d}" if numero else "la página de espera"


def lo_esperado(falla: Falla, esperados: Mapping[tuple[str, int], Esperado], difusores: Sequence[str]) -> str:
    """What must be seen under a fault, by the plan alone."""
    if falla.corte == 0:
        return "Nadie ve nada antes del inicio"
    if falla.objetivo in difusores:
        last = esperados.get((falla.objetivo, falla.ultimo))
        return "" if last is None else _of_one(last)
    found = [one for name in difusores if (one := esperados.get((name, falla.ultimo))) is not None]
    if not found:
        return ""
    one = found[0]
    if one.mientras is not None:
        return f"Mientras, sigue {el_corte(one.mientras)}; luego, {el_corte(one.muestra)}"
    return f"Todos siguen con {el_corte(one.muestra)}"


def _of_one(one: Esperado) -> str:
    codes = " o ".join(sorted(one.codigos))
    back = "" if one.vuelve is None else f"; al terminar, por sí mismo {el_corte(one.vuelve)}"
    if one.sigue:
        return f"En su portal, {el_corte(one.muestra)}; lo dice ({codes}) e insiste"
    if codes:
        return f"Lo dice ({codes}) y sigue {el_corte(one.muestra)}{back}"
    if one.vuelve is not None:
        return f"Sigue {el_corte(one.muestra)}{back}"
    silence = {"ninguno": "; nadie lo nota", "breve": "; vuelve por sí mismo"}.get(one.silencio or "", "")
    return f"Publica {el_corte(one.muestra)}{silence}"


def lo_visto(
    *,
    muestra: int | None,
    codigos: Sequence[str],
    vuelve: tuple[int, float] | None = None,
    en_curso: bool,
) -> str:
    """What was seen of one difusor under a fault: what it showed, what it said, what it showed after, and how soon."""
    shown = "nada" if muestra is None else el_corte(muestra)
    parts = [f"Muestra {shown}" if en_curso else f"Mostró {shown}"]
    if codigos:
        parts.append(f"{'dice' if en_curso else 'dijo'} {', '.join(codigos)}")
    if vuelve is not None:
        parts.append(f"a los {vuelve[1]:.1f} s, {el_corte(vuelve[0])}")
    return "; ".join(parts)


def lo_visto_de_todos(muestran: Mapping[str, int], *, en_curso: bool, mientras: Mapping[str, int] | None = None) -> str:
    """What was seen of all difusores under a fault of the institute; ``mientras``: before its cut was signed."""
    if mientras is not None:
        return f"Mientras, {_counted(mientras)}; luego, {_counted(muestran)}"
    return f"{'Muestran' if en_curso else 'Mostraron'}: {_counted(muestran)}"


def _counted(muestran: Mapping[str, int]) -> str:
    counts: dict[int, int] = {}
    for number in muestran.values():
        counts[number] = counts.get(number, 0) + 1
    return " y ".join(f"{many} de {len(muestran)}, {el_corte(number)}" for number, many in sorted(counts.items()))
