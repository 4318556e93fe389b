-- The visits of each agent that is told apart (0: of the rest).
select
    sitio,
    ventana,
    agente,
    count(*) as visitas
from visitas
group by sitio, ventana, agente
