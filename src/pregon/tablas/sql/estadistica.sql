-- How many actas there are of each kind of casilla, place, situation and observation, and what the counted ones add up to.
-- Texts stay as they are written: what they mean is told in tablas/estadistica.py. Standard SQL: the same text runs on Spark.
select
    tipo_casilla,
    ubicacion,
    estado,
    observaciones,
    cast(sum(signo) as bigint) as actas,
    cast(sum(case when estado = 'contabilizada' then signo * coalesce(lista_nominal, 0) else 0 end) as bigint) as lista_nominal,
    cast(sum(case when estado = 'contabilizada' then signo * suma else 0 end) as bigint) as votos
from actas
group by tipo_casilla, ubicacion, estado, observaciones
