-- What was served of the data of each cut, by contest.
select
    sitio,
    ventana,
    corte,
    contienda,
    cast(sum(hits) as bigint) as hits,
    cast(sum(bytes) as bigint) as bytes
from cuentas
where corte is not null
group by sitio, ventana, corte, contienda
order by sitio, ventana, corte, contienda nulls first
