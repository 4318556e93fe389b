-- Actas as read (table crudo: texts as written) -> actas understood (table actas), by dictionaries. What a text means
-- is decided in prep, once for each distinct text, and never here: claves (what is left of a wrapped key), celdas (a
-- count, or the marker that stands for it), situaciones (CONTABILIZADA with OBSERVACIONES), tipos, entidades, unidades.
-- The first rows may be those that left (parametros.idas of them): their signo is -1, and their sums are taken off.
-- A null vote is a cell that holds a marker, not a count. circunscripcion, entidad and unidad are '' where there is none.
create table actas as
select
    crudo.rowid as lugar,
    case when crudo.rowid < (select idas from parametros) then -1 else 1 end as signo,
    coalesce(k_$envuelta.limpia, crudo.$envuelta) as $envuelta,
    crudo.$desnuda,
    crudo.ubicacion,
    t.tipo as tipo_casilla,
    s.estado,
    s.contabilizada,
    s.observaciones,
    e.entidad as entidad_acta,
    case when s.estado = 'fuera_catalogo' then '' else e.entidad end as entidad,
    case when s.estado = 'fuera_catalogo' then '' else e.circunscripcion end as circunscripcion,
    case
        when u.unidad <> '' then concat(e.prefijo, u.unidad)
        when s.estado = 'fuera_catalogo' then ''
        else concat(e.prefijo, u.sin_unidad)
    end as unidad,
    case when s.estado = 'fuera_catalogo' then '' else t.clase end as tipo,
    case when t.tipo = 'S' then 1 else 0 end as especial,
    s.inc_$definicion,
    d_lista_nominal.valor as lista_nominal,
    d_calculado.valor as calculado,
    d_representantes.valor as representantes,
    d_$voto.valor as $voto,
    d_$voto.json as j_$voto,
    0
        + coalesce(d_$voto.valor, 0)
    as suma
from crudo
inner join situaciones as s
    on crudo.contabilizada = s.contabilizada_texto and crudo.observaciones = s.observaciones_texto
    and (crudo.clave_casilla in (select texto from sin_clave)) = s.sin_clave
inner join tipos as t on crudo.tipo = t.texto
inner join entidades as e on crudo.entidad_id = e.texto
inner join unidades as u on crudo.unidad_id = u.texto
inner join celdas as d_lista_nominal on crudo.lista_nominal = d_lista_nominal.texto
inner join celdas as d_calculado on crudo.calculado = d_calculado.texto
inner join celdas as d_representantes on crudo.representantes = d_representantes.texto
inner join celdas as d_$voto on crudo.$voto = d_$voto.texto
left join claves as k_$envuelta on crudo.$envuelta = k_$envuelta.texto
