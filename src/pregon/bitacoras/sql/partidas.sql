-- Lines of text -> what lies between their quotes. In «combined» there are six quotes and only blanks between the last
-- two fields: then the places say it all. A line that has others, or a backslash before a quote, goes through the
-- format's pattern (linea is not null).
with cortadas as (
    select
        linea,
        trozos(linea, '"') as t
    from lineas
),

vistas as (
    select
        linea,
        parte(t, 1) as cabeza,
        parte(t, 2) as pedido,
        parte(t, 3) as medio,
        parte(t, 4) as referente,
        parte(t, 6) as agente,
        cuantos(t) = 7
        and parte(t, 5) = ' '
        and parte(t, 7) = ''
        and instr(linea, chr(92) || chr(34)) = 0 as llana
    from cortadas
)

select
    cabeza,
    pedido,
    medio,
    referente,
    agente,
    llana,
    case when not llana then linea end as linea
from vistas
