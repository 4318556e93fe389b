-- Hits -> how many there were of each kind in each minute. Cut and contest: only of what was served.
select
    golpes.sitio,
    golpes.ventana,
    periodo(golpes.momento, 60) as minuto,
    golpes.robot,
    golpes.estado,
    pedidos.metodo,
    pedidos.protocolo,
    pedidos.tipo,
    case when golpes.estado in (200, 206, 304) then pedidos.corte end as corte,
    case when golpes.estado in (200, 206, 304) then pedidos.contienda end as contienda,
    golpes.cache,
    count(*) as hits,
    cast(sum(golpes.bytes) as bigint) as bytes
from golpes
inner join pedidos on golpes.pedido = pedidos.numero
where golpes.ventana > 0
group by all
