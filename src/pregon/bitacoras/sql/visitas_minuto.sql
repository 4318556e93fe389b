-- How many visits begin and end at each minute: added up in order, those under way.
select
    sitio,
    ventana,
    minuto,
    cast(sum(cambio) as bigint) as cambio
from (
    select
        sitio,
        ventana,
        periodo(desde, 60) as minuto,
        count(*) as cambio
    from visitas
    group by sitio, ventana, periodo(desde, 60)
    union all
    select
        sitio,
        ventana,
        periodo(hasta, 60) + 1 as minuto,
        -count(*) as cambio
    from visitas
    group by sitio, ventana, periodo(hasta, 60) + 1
) as cambios
group by sitio, ventana, minuto
order by sitio, ventana, minuto
