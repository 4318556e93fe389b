-- What was served of each contest: its pages to people, and all.
select
    sitio,
    ventana,
    contienda,
    cast(coalesce(sum(hits) filter (
        where not robot and tipo = 'pagina' and metodo = 'GET' and estado in (200, 304)
    ), 0) as bigint) as paginas,
    cast(sum(hits) as bigint) as hits,
    cast(sum(bytes) as bigint) as bytes
from cuentas
where contienda is not null
group by sitio, ventana, contienda
order by sitio, ventana, contienda
