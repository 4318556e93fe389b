-- What lies between the quotes of a «combined» line -> its fields; and the lines that do not look so (linea is not
-- null), whole again: those go through the pattern.
with palabras as (
    select
        *,
        trozos(cabeza, ' ') as c,
        trozos(medio, ' ') as m
    from partidas
    where llana
),

probadas as (
    select
        *,
        cuantos(c) = 6
        and cuantos(m) = 4
        and parte(c, 4) like '[%'
        and parte(c, 5) like '_____]'
        and parte(c, 6) = '' as bien
    from palabras
)

select
    parte(c, 1) as direccion,
    substr(parte(c, 4), 2) || ' ' || substr(parte(c, 5), 1, 5) as hora,
    pedido,
    parte(m, 2) as estado,
    parte(m, 3) as bytes,
    referente,
    agente,
    '' as duracion,
    '' as cache,
    case when not bien then cabeza || '"' || pedido || '"' || medio || '"' || referente || '" "' || agente || '"' end as linea
from probadas
