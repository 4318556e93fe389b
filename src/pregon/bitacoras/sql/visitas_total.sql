-- The visits of each site and window, and from how many visitors.
select
    sitio,
    ventana,
    count(*) as visitas,
    count(distinct visitante) as visitantes,
    cast(sum(paginas) as bigint) as paginas,
    cast(sum(hasta - desde) as bigint) as segundos
from visitas
group by sitio, ventana
