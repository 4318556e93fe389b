-- The sums of each sección and kind of special vote (tipo; '' for none): everything above adds these up.
-- Only actas with CONTABILIZADA = 1 add votes; fuera de catálogo is outside every count but its own
-- (real-data.md §2, rules 4 and 8). Standard SQL: the same text runs on Spark.
create table por_seccion as
select
    circunscripcion,
    entidad,
    unidad,
    seccion,
    tipo,
    cast(sum(case when estado <> 'fuera_catalogo' then signo else 0 end) as bigint) as esperadas,
    cast(sum(case when estado = 'fuera_catalogo' then signo else 0 end) as bigint) as fuera_catalogo,
    cast(sum(case when estado in ('contabilizada', 'no_contabilizada') then signo else 0 end) as bigint) as capturadas,
    cast(sum(case when estado = 'contabilizada' then signo else 0 end) as bigint) as contabilizadas,
    cast(sum(case when estado = 'no_contabilizada' then signo else 0 end) as bigint) as no_contabilizadas,
    cast(sum(case when estado <> 'fuera_catalogo' then signo * inc_$definicion else 0 end) as bigint) as inc_$definicion,
    cast(sum(case when estado = 'contabilizada' then signo * coalesce(lista_nominal, 0) else 0 end) as bigint) as lista_nominal,
    cast(sum(case when estado = 'contabilizada' then signo * coalesce(calculado, 0) else 0 end) as bigint) as calculado_c_cs,
    cast(sum(case when estado = 'contabilizada' and especial = 0 then signo * coalesce(calculado, 0) else 0 end) as bigint) as calculado_s_cs,
    cast(sum(case when estado = 'contabilizada' then signo * suma else 0 end) as bigint) as total_votos,
    cast(sum(case when estado = 'contabilizada' and especial = 0 then signo * suma else 0 end) as bigint) as total_votos_s_cs,
    cast(sum(case when estado = 'contabilizada' then signo * coalesce($voto, 0) else 0 end) as bigint) as $voto,
    cast(sum(case when $voto is not null and estado in ('contabilizada', 'no_contabilizada') then signo else 0 end) as bigint) as $voto_n,
    cast(sum(signo) as bigint) as filas
from actas
group by circunscripcion, entidad, unidad, seccion, tipo
