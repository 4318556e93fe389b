-- Hits of people -> who saw a page of each contest.
select
    golpes.sitio,
    golpes.ventana,
    pedidos.contienda as clase,
    huella(golpes.direccion || chr(10) || agentes.agente) as visitante
from golpes
inner join pedidos on golpes.pedido = pedidos.numero
inner join agentes on golpes.agente = agentes.numero
where
    golpes.ventana > 0
    and not golpes.robot
    and pedidos.contienda is not null
    and pedidos.tipo = 'pagina'
    and pedidos.metodo = 'GET'
    and golpes.estado in (200, 304)
