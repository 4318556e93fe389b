-- What por_seccion.sql gives, of whole units (seccion is always ''), from groups of rows understood by dictionaries, as
-- actas.sql understands each acta; and the place of the first row of each.
create table por_seccion as
with entendidos as (
    select
        g.*,
        s.estado,
        s.inc_$definicion,
        t.tipo as tipo_casilla,
        case when s.estado = 'fuera_catalogo' then '' else e.entidad end as entidad,
        case when s.estado = 'fuera_catalogo' then '' else e.circunscripcion end as circunscripcion,
        case
            when u.unidad <> '' then concat(e.prefijo, u.unidad)
            when s.estado = 'fuera_catalogo' then ''
            else concat(e.prefijo, u.sin_unidad)
        end as unidad,
        case when s.estado = 'fuera_catalogo' then '' else t.clase end as clase
    from grupos as g
    inner join situaciones as s
        on
            g.contabilizada = s.contabilizada_texto
            and g.observaciones = s.observaciones_texto
            and g.clave_vacia = s.clave_texto
    inner join tipos as t on g.tipo = t.texto
    inner join entidades as e on g.entidad_id = e.texto
    inner join unidades as u on g.unidad_id = u.texto
),

contados as (
    select
        *,
        estado = 'contabilizada' as vale,
        estado in ('contabilizada', 'no_contabilizada') as capturada,
        estado = 'contabilizada' and tipo_casilla <> 'S' as vale_s_cs
    from entendidos
)

select
    circunscripcion,
    entidad,
    unidad,
    '' as seccion,
    clase as tipo,
    min(primera) as primera,
    cast(sum(case when estado <> 'fuera_catalogo' then filas else 0 end) as bigint) as esperadas,
    cast(sum(case when estado = 'fuera_catalogo' then filas else 0 end) as bigint) as fuera_catalogo,
    cast(sum(case when capturada then filas else 0 end) as bigint) as capturadas,
    cast(sum(case when vale then filas else 0 end) as bigint) as contabilizadas,
    cast(sum(case when estado = 'no_contabilizada' then filas else 0 end) as bigint) as no_contabilizadas,
    cast(sum(case when estado <> 'fuera_catalogo' then filas * inc_$definicion else 0 end) as bigint) as inc_$definicion,
    cast(sum(case when vale then coalesce(lista_nominal, 0) else 0 end) as bigint) as lista_nominal,
    cast(sum(case when vale then coalesce(calculado, 0) else 0 end) as bigint) as calculado_c_cs,
    cast(sum(case when vale_s_cs then coalesce(calculado, 0) else 0 end) as bigint) as calculado_s_cs,
    cast(sum(case when vale then suma else 0 end) as bigint) as total_votos,
    cast(sum(case when vale_s_cs then suma else 0 end) as bigint) as total_votos_s_cs,
    cast(sum(case when vale then coalesce($voto, 0) else 0 end) as bigint) as $voto,
    cast(sum(case when capturada then $voto_n else 0 end) as bigint) as $voto_n,
    cast(sum(filas) as bigint) as filas
from contados
group by circunscripcion, entidad, unidad, clase
