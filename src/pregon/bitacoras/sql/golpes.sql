-- The fields of each line as read -> hits. A line that has no place, hour, status or size of its own kind is none:
-- the difference in rows is what was malformed.
select
    $sitio as sitio,
    horas.ventana,
    horas.momento,
    crudos.direccion,
    agentes.numero as agente,
    agentes.robot,
    pedidos.numero as pedido,
    cast(crudos.estado as smallint) as estado,
    case when crudos.bytes in ('', '-') then 0 else cast(crudos.bytes as bigint) end as bytes,
    crudos.referente,
    lower(substr(crudos.cache, 1, 24)) as cache,
    try_cast(crudos.duracion as double) * $milisegundos as milisegundos
from crudos
inner join horas on crudos.hora = horas.hora
inner join pedidos on crudos.pedido = pedidos.pedido
inner join agentes on crudos.agente = agentes.agente
where sana(crudos.direccion, crudos.estado, crudos.bytes)
