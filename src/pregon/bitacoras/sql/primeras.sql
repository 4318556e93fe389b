-- The most frequent of what was counted by name: $clase is a column of $tabla.
with juntos as (
    select
        sitio,
        ventana,
        $clase as clase,
        cast(sum(hits) as bigint) as hits,
        cast(sum($bytes) as bigint) as bytes
    from $tabla
    where $donde
    group by sitio, ventana, $clase
)

select sitio, ventana, clase, hits, bytes
from (
    select *, row_number() over (partition by sitio, ventana order by hits desc, clase) as lugar
    from juntos
) as ordenados
where lugar <= $cuantas
order by sitio, ventana, lugar
