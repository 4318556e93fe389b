-- All of each site and window.
select
    sitio,
    ventana,
    cast(sum(hits) as bigint) as hits,
    cast(sum(bytes) as bigint) as bytes,
    cast(coalesce(sum(hits) filter (where robot), 0) as bigint) as hits_robots,
    cast(coalesce(sum(hits) filter (
        where not robot and tipo = 'pagina' and metodo = 'GET' and estado in (200, 304)
    ), 0) as bigint) as paginas
from cuentas
group by sitio, ventana
