-- The different visitors that saw a page in each half hour.
select
    sitio,
    ventana,
    media_hora,
    count(distinct visitante) as visitantes
from tramos
where paginas > 0
group by sitio, ventana, media_hora
order by sitio, ventana, media_hora
