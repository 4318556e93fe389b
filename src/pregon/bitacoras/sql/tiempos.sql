-- Hits that say how long they took -> how many took each time: to the millisecond below one second, then to three
-- figures, rounded down.
with enteros as (
    select
        sitio,
        ventana,
        cast(floor(milisegundos) as bigint) as ms
    from golpes
    where ventana > 0 and milisegundos >= 0 and milisegundos < 1e9
)

select
    sitio,
    ventana,
    case
        when ms < 1000 then ms
        when ms < 10000 then periodo(ms, 10) * 10
        when ms < 100000 then periodo(ms, 100) * 100
        else periodo(ms, 1000) * 1000
    end as ms,
    count(*) as hits
from enteros
group by all
