-- Of each sección: the most votes that one candidatura has there; its place among those of the unit, or why there is
-- none (parametros: several have as many, nobody has votes, no acta is counted); and the participation, in
-- ten-thousandths of one per cent, truncated. secciones: the sums of each as one text of numbers (secciones.sql), and
-- the way its unit stands together. grupos: for each such way its candidaturas as the text of a list, each of them the
-- list of its places among the sums.
with grupos_leidos as (
    select
        grupo,
        cast(candidaturas as bigint[][]) as candidaturas
    from grupos
),

leidas as (
    select
        s.rowid as lugar,
        g.candidaturas,
        cast(string_split(s.sumas, ',') as bigint[]) as cifras
    from secciones as s
    inner join grupos_leidos as g on s.grupo = g.grupo
),

sumadas as (
    select
        lugar,
        cifras[3] as contabilizadas,
        case when cifras[4] = 0 then 0 else cast(cifras[5] as hugeint) * 1000000 // cifras[4] end as participacion,
        list_transform(candidaturas, lambda columnas: list_sum(list_select(cifras, columnas))) as votos
    from leidas
),

primeras as (
    select
        lugar,
        contabilizadas,
        participacion,
        votos,
        cast(coalesce(list_max(votos), 0) as bigint) as mas
    from sumadas
)

select
    mas,
    case
        when contabilizadas = 0 then (select sin_actas from parametros)
        when mas = 0 then (select sin_votos from parametros)
        when len(list_filter(votos, lambda n: n = mas)) > 1 then (select empate from parametros)
        else list_position(votos, mas) - 1
    end as quien,
    concat(participacion // 10000, '.', lpad(cast(participacion % 10000 as varchar), 4, '0')) as participacion
from primeras
order by lugar
