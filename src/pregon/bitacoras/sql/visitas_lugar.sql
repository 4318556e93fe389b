-- The visits from each place.
select
    sitio,
    ventana,
    lugar as clase,
    count(*) as hits,
    cast(sum(bytes) as bigint) as bytes
from visitas
where lugar <> ''
group by sitio, ventana, lugar
