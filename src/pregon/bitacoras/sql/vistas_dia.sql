-- Visits -> who began one on each local day.
select
    visitas.sitio,
    visitas.ventana,
    dias.dia as clase,
    visitas.visitante
from visitas
inner join dias on visitas.desde >= dias.desde and visitas.desde < dias.hasta
