-- Hits of programs -> how much each asked for.
select
    golpes.sitio,
    golpes.ventana,
    agentes.nombre,
    count(*) as hits,
    cast(sum(golpes.bytes) as bigint) as bytes
from golpes
inner join agentes on golpes.agente = agentes.numero
where golpes.ventana > 0 and golpes.robot
group by all
