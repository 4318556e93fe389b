-- Actas as read (table crudo: texts as written) -> actas understood (table actas), by dictionaries. What a text means
-- is decided in prep, once for each distinct text, and never here: claves (what is left of a wrapped key), celdas (a
-- count, or the marker that stands for it), situaciones (CONTABILIZADA with OBSERVACIONES), tipos, entidades, unidades.
-- The first rows may be those that left (parametros.idas of them): their signo is -1, and their sums are taken off.
-- A null vote is a cell that holds a marker, not a count. circunscripcion, entidad and unidad are '' where there is none.
-- A cell is looked up by the code of its text in a type made of all of them: the engine plans a join of celdas for every
-- column of a wide file in more time than it takes to read the rows. A text that is not there is an error.
create type celda as enum (select texto from celdas);
set variable valores = (select list(valor order by enum_code(cast(texto as celda))) from celdas);
set variable textos = (select list(json order by enum_code(cast(texto as celda))) from celdas);
create table actas as
with codificado as (
    select
        enum_code(cast($celda as celda)) + 1 as c_$celda,
        crudo.rowid as lugar,
        crudo.*
    from crudo
)

select
    crudo.lugar,
    case when crudo.lugar < (select idas from parametros) then -1 else 1 end as signo,
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
    getvariable('valores')[c_lista_nominal] as lista_nominal,
    getvariable('valores')[c_calculado] as calculado,
    getvariable('valores')[c_representantes] as representantes,
    getvariable('valores')[c_$voto] as $voto,
    getvariable('textos')[c_$voto] as j_$voto,
    0
        + coalesce(getvariable('valores')[c_$voto], 0)
    as suma
from codificado as crudo
inner join situaciones as s
    on crudo.contabilizada = s.contabilizada_texto and crudo.observaciones = s.observaciones_texto
    and (crudo.clave_casilla in (select texto from sin_clave)) = s.sin_clave
inner join tipos as t on crudo.tipo = t.texto
inner join entidades as e on crudo.entidad_id = e.texto
inner join unidades as u on crudo.unidad_id = u.texto
left join claves as k_$envuelta on crudo.$envuelta = k_$envuelta.texto
