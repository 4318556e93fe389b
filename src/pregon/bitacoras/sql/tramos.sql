-- Hits -> what each visitor did in each half hour: from here on nobody has an address. A visitor is an address with an
-- agent, as a hash under a key of this run. Two hits of one half hour are never 30 minutes apart, so that visits can be
-- told from the first and last hit of each (visitas.sql). The agent is its number among those known (0: one of many).
with juntos as (
    select
        golpes.sitio,
        golpes.ventana,
        golpes.direccion,
        golpes.agente,
        periodo(golpes.momento, 1800) as media_hora,
        min(golpes.momento) as primera,
        max(golpes.momento) as ultima,
        count(*) as hits,
        count(*) filter (
            where pedidos.tipo = 'pagina' and pedidos.metodo = 'GET' and golpes.estado in (200, 304)
        ) as paginas,
        cast(sum(golpes.bytes) as bigint) as bytes
    from golpes
    inner join pedidos on golpes.pedido = pedidos.numero
    where golpes.ventana > 0 and not golpes.robot
    group by golpes.sitio, golpes.ventana, golpes.direccion, golpes.agente, periodo(golpes.momento, 1800)
)

select
    juntos.sitio,
    juntos.ventana,
    huella(juntos.direccion || chr(10) || agentes.agente) as visitante,
    agentes.conocido as agente,
    juntos.media_hora,
    juntos.primera,
    juntos.ultima,
    juntos.hits,
    juntos.paginas,
    juntos.bytes,
    coalesce(lugares.lugar, '') as lugar
from juntos
inner join agentes on juntos.agente = agentes.numero
left join lugares on juntos.direccion = lugares.direccion
