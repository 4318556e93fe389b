-- The times of each site and window, in order.
select
    sitio,
    ventana,
    ms,
    cast(sum(hits) as bigint) as hits
from tiempos
group by sitio, ventana, ms
order by sitio, ventana, ms
