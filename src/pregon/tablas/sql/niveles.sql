-- Totals of the whole file, of each circunscripción, entidad and unit (distrito or municipio), and of each kind of
-- special vote in them, from the sums of the secciones. No actas at all give zeros. Standard SQL: the same text runs on Spark.
select
    case
        when grouping(unidad) = 0 and grouping(tipo) = 0 then 'unidad_tipo'
        when grouping(entidad) = 0 and grouping(tipo) = 0 then 'entidad_tipo'
        when grouping(circunscripcion) = 0 and grouping(tipo) = 0 then 'circunscripcion_tipo'
        when grouping(tipo) = 0 then 'total_tipo'
        when grouping(unidad) = 0 then 'unidad'
        when grouping(entidad) = 0 then 'entidad'
        when grouping(circunscripcion) = 0 then 'circunscripcion'
        else 'total'
    end as nivel,
    coalesce(unidad, entidad, circunscripcion, '') as id,
    coalesce(tipo, '') as tipo,
    cast(coalesce(sum($suma), 0) as bigint) as $suma,
    cast(coalesce(sum($voto), 0) as bigint) as $voto,
    cast(coalesce(sum($voto_n), 0) as bigint) as $voto_n,
    cast(coalesce(sum(filas), 0) as bigint) as filas
from por_seccion
group by grouping sets (
    (), (circunscripcion), (entidad), (unidad),
    (tipo), (circunscripcion, tipo), (entidad, tipo), (unidad, tipo)
)
order by nivel, id, tipo
