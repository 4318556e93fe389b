-- Each minute in which something was asked for.
select
    sitio,
    ventana,
    minuto,
    cast(sum(hits) as bigint) as hits,
    cast(coalesce(sum(hits) filter (
        where not robot and tipo = 'pagina' and metodo = 'GET' and estado in (200, 304)
    ), 0) as bigint) as paginas,
    cast(sum(bytes) as bigint) as bytes,
    cast(coalesce(sum(hits) filter (where estado >= 500), 0) as bigint) as errores
from cuentas
group by sitio, ventana, minuto
order by sitio, ventana, minuto
