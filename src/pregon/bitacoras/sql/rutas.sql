-- Hits -> how often each address was served (clase «servida») or was not there (404, 410: «perdida»).
select
    golpes.sitio,
    golpes.ventana,
    case when golpes.estado in (404, 410) then 'perdida' else 'servida' end as clase,
    pedidos.tipo,
    pedidos.ruta,
    cast(sum(golpes.hits) as bigint) as hits,
    cast(sum(golpes.bytes) as bigint) as bytes
from (
    select
        sitio,
        ventana,
        pedido,
        estado,
        count(*) as hits,
        sum(bytes) as bytes
    from golpes
    where ventana > 0 and estado in (200, 206, 304, 404, 410)
    group by sitio, ventana, pedido, estado
) as golpes
inner join pedidos on golpes.pedido = pedidos.numero
group by all
