-- Totals of the entity, of each unit (distrito or municipio) and of each sección, in one pass over the actas.
-- Table actas: unidad and seccion are codes (-1: none); a null vote is a cell that holds a marker, not a count.
-- Only actas with CONTABILIZADA = 1 add votes; fuera de catálogo is outside every count but its own
-- (real-data.md §2, rules 4 and 8). No actas at all give zeros. Standard SQL: the same text runs on Spark.
select
    case
        when grouping(unidad) = 1 then 'entidad'
        when grouping(seccion) = 1 then 'unidad'
        else 'seccion'
    end as nivel,
    unidad,
    seccion,
    cast(coalesce(sum(case when estado <> 'fuera_catalogo' then 1 else 0 end), 0) as bigint) as esperadas,
    cast(coalesce(sum(case when estado = 'fuera_catalogo' then 1 else 0 end), 0) as bigint) as fuera_catalogo,
    cast(coalesce(sum(case when estado in ('contabilizada', 'no_contabilizada') then 1 else 0 end), 0) as bigint) as capturadas,
    cast(coalesce(sum(case when estado = 'contabilizada' then 1 else 0 end), 0) as bigint) as contabilizadas,
    cast(coalesce(sum(case when estado = 'no_contabilizada' then 1 else 0 end), 0) as bigint) as no_contabilizadas,
    cast(coalesce(sum(case when estado <> 'fuera_catalogo' then inc_$definicion else 0 end), 0) as bigint) as inc_$definicion,
    cast(coalesce(sum(case when estado = 'contabilizada' then lista_nominal else 0 end), 0) as bigint) as lista_nominal,
    cast(coalesce(sum(case when estado = 'contabilizada' then calculado else 0 end), 0) as bigint) as calculado_c_cs,
    cast(coalesce(sum(case when estado = 'contabilizada' and especial = 0 then calculado else 0 end), 0) as bigint) as calculado_s_cs,
    cast(coalesce(sum(case when estado = 'contabilizada' then suma else 0 end), 0) as bigint) as total_votos,
    cast(coalesce(sum(case when estado = 'contabilizada' and especial = 0 then suma else 0 end), 0) as bigint) as total_votos_s_cs,
    cast(coalesce(sum(case when estado = 'contabilizada' then $voto end), 0) as bigint) as $voto,
    cast(coalesce(sum(case when $voto is not null and estado in ('contabilizada', 'no_contabilizada') then 1 else 0 end), 0) as bigint) as $voto_n,
    cast(count(*) as bigint) as filas
from actas
group by grouping sets ((), (unidad), (unidad, seccion))
order by nivel, unidad, seccion
