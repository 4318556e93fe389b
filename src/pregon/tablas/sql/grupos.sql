-- The sums of the rows whose texts of place, kind and situation are the same letter by letter, and where the first is.
create table grupos as
select
    entidad_id,
    unidad_id,
    tipo,
    contabilizada,
    observaciones,
    clave_vacia,
    cast(sum(n_$voto) as bigint) as $voto,
    count(n_$voto) as $voto_n,
    cast(sum(n_lista_nominal) as bigint) as lista_nominal,
    cast(sum(n_calculado) as bigint) as calculado,
    cast(sum(suma) as bigint) as suma,
    min(rowid) as primera,
    count(*) as filas
from renglones
group by entidad_id, unidad_id, tipo, contabilizada, observaciones, clave_vacia
