-- Each different text of the hour -> the instant in seconds UTC and the window in which it falls (0: in none).
with leidas as (
    select
        hora,
        momento_de(hora) as momento
    from (select distinct hora from crudos) as distintas
)

select
    leidas.hora,
    leidas.momento,
    coalesce(ventanas.numero, 0) as ventana
from leidas
left join ventanas
    on ventanas.sitio = $sitio and leidas.momento >= ventanas.desde and leidas.momento < ventanas.hasta
where leidas.momento is not null
