-- Totals of the whole file, of each circunscripción, entidad, unit (distrito or municipio) and sección, and of each
-- kind of special vote in the whole, the entidad and the unit; in one pass over the actas.
-- Table actas: circunscripcion, entidad, unidad, seccion are codes (-1: none), tipo is a kind of special vote (0: none);
-- a null vote is a cell that holds a marker, not a count.
-- Only actas with CONTABILIZADA = 1 add votes; fuera de catálogo is outside every count but its own
-- (real-data.md §2, rules 4 and 8). No actas at all give zeros. Standard SQL: the same text runs on Spark.
select
    case
        when grouping(seccion) = 0 then 'seccion'
        when grouping(unidad) = 0 and grouping(tipo) = 0 then 'unidad_tipo'
        when grouping(entidad) = 0 and grouping(tipo) = 0 then 'entidad_tipo'
        when grouping(circunscripcion) = 0 and grouping(tipo) = 0 then 'circunscripcion_tipo'
        when grouping(tipo) = 0 then 'total_tipo'
        when grouping(unidad) = 0 then 'unidad'
        when grouping(entidad) = 0 then 'entidad'
        when grouping(circunscripcion) = 0 then 'circunscripcion'
        else 'total'
    end as nivel,
    circunscripcion,
    entidad,
    unidad,
    seccion,
    tipo,
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
group by grouping sets (
    (), (circunscripcion), (entidad), (unidad), (unidad, seccion),
    (tipo), (circunscripcion, tipo), (entidad, tipo), (unidad, tipo)
)
order by nivel, circunscripcion, entidad, unidad, seccion, tipo
