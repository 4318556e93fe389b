-- Each different request («GET /gub/?x=1 HTTP/2.0») -> its method, address without question, protocol, kind of thing,
-- and, in a package of Pregón, the cut and the contest. A request that is none (garbage, «-») keeps its row.
with distintos as (
    select distinct pedido from crudos
),

partidos as (
    select
        pedido,
        regexp_extract(pedido, '^([A-Z]{3,10}) ', 1) as verbo,
        upper(regexp_extract(pedido, ' (HTTP/[0-9.]{1,3}|[hH][0-9])$', 1)) as version,
        regexp_replace(
            regexp_replace(
                regexp_replace(pedido, '^[A-Z]{3,10} ', ''),
                ' (HTTP/[0-9.]{1,3}|[hH][0-9])?$', ''
            ),
            '^[a-z]+://[^/?#]*', ''
        ) as direccion
    from distintos
),

llanos as (
    select
        pedido,
        verbo,
        version,
        substr(split_part(split_part(direccion, '?', 1), '#', 1), 1, 300) as ruta
    from partidos
),

clasificados as (
    select
        *,
        lower(regexp_extract(ruta, '[.]([A-Za-z0-9]{1,8})$', 1)) as extension,
        regexp_extract(ruta, '/datos/([0-9]{4})/', 1) as folio,
        regexp_extract(ruta, '/datos/[0-9]{4}/([a-z0-9_-]{2,40})/', 1) as de_datos,
        regexp_extract(ruta, '/($contiendas)/', 1) as de_pagina
    from llanos
)

select
    pedido,
    row_number() over (order by pedido) as numero,
    case
        when verbo in ('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE', 'PROPFIND')
            then verbo
        else 'OTRO'
    end as metodo,
    case
        when version in ('HTTP/1.0', 'HTTP/1.1') then version
        when version in ('HTTP/2.0', 'HTTP/2', 'H2') then 'HTTP/2'
        when version in ('HTTP/3.0', 'HTTP/3', 'H3') then 'HTTP/3'
        else 'OTRO'
    end as protocolo,
    ruta,
    case
        when verbo = '' then 'otro'
        when extension = '' and ruta like '/%' and split_part(ruta, '/', -1) not like '%.%' then 'pagina'
        else coalesce(tipos.tipo, 'otro')
    end as tipo,
    case when folio <> '' then cast(folio as smallint) end as corte,
    case when de_datos <> '' then de_datos when de_pagina <> '' then de_pagina end as contienda
from clasificados
left join tipos using (extension)
