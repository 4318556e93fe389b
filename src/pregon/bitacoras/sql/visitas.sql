-- What each visitor did in each half hour -> visits: after more than 30 minutes without a hit, the next hit opens
-- another. A visit saw at least one page.
with juntos as (
    select
        sitio,
        ventana,
        visitante,
        media_hora,
        max(agente) as agente,
        max(lugar) as lugar,
        min(primera) as primera,
        max(ultima) as ultima,
        cast(sum(hits) as bigint) as hits,
        cast(sum(paginas) as bigint) as paginas,
        cast(sum(bytes) as bigint) as bytes
    from tramos
    group by sitio, ventana, visitante, media_hora
),

abiertas as (
    select
        *,
        case
            when primera - lag(ultima) over (partition by sitio, ventana, visitante order by media_hora) <= 1800 then 0
            else 1
        end as nueva
    from juntos
),

numeradas as (
    select
        *,
        sum(nueva) over (
            partition by sitio, ventana, visitante order by media_hora rows unbounded preceding
        ) as visita
    from abiertas
)

select
    sitio,
    ventana,
    visitante,
    max(agente) as agente,
    max(lugar) as lugar,
    min(primera) as desde,
    max(ultima) as hasta,
    cast(sum(hits) as bigint) as hits,
    cast(sum(paginas) as bigint) as paginas,
    cast(sum(bytes) as bigint) as bytes
from numeradas
group by sitio, ventana, visitante, visita
having sum(paginas) > 0
