-- Hits -> from which host people came to pages.
select
    sitio,
    ventana,
    lower(regexp_extract(referente, '^[a-z]+://(?:[^/@]*@)?([A-Za-z0-9.:_-]{1,253})', 1)) as anfitrion,
    cast(sum(hits) as bigint) as hits
from (
    select
        golpes.sitio,
        golpes.ventana,
        golpes.referente,
        count(*) as hits
    from golpes
    inner join pedidos on golpes.pedido = pedidos.numero
    where
        golpes.ventana > 0
        and not golpes.robot
        and golpes.estado in (200, 304)
        and pedidos.tipo = 'pagina'
        and pedidos.metodo = 'GET'
    group by golpes.sitio, golpes.ventana, golpes.referente
) as juntos
group by all
