-- Visits -> who began one in the whole window.
select
    sitio,
    ventana,
    '' as clase,
    visitante
from visitas
