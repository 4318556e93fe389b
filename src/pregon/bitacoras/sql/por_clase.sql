-- What there was of each kind: $clase is a column of cuentas.
select
    sitio,
    ventana,
    $clase as clase,
    cast(sum(hits) as bigint) as hits,
    cast(sum(bytes) as bigint) as bytes
from cuentas
group by all
