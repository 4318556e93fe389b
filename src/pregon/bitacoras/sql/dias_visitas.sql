-- Each local day: visits that began in it, and the different visitors of those visits.
select
    visitas.sitio,
    visitas.ventana,
    dias.dia,
    count(*) as visitas,
    count(distinct visitas.visitante) as visitantes
from visitas
inner join dias on visitas.desde >= dias.desde and visitas.desde < dias.hasta
group by visitas.sitio, visitas.ventana, dias.dia
