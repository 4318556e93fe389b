-- Rows that may show a fault (prep.revisa.faults decides): every row that shows one, and few more.
with marcadas as (
    select
        lugar,
        estado in ('contabilizada', 'no_contabilizada') as capturada,
        estado = 'pendiente' and contabilizada not in ('', '-', '--', 'N/A', 'n/a', '0', '1', '2') as pendiente_rara,
        case when calculado is null then suma > 0 else calculado <> suma end as suma_rara,
        estado = 'contabilizada' and lista_nominal > 0 and suma > lista_nominal + coalesce(representantes, 0) as excede,
        not (
            sha in ('', '-', '--', 'N/A', 'n/a')
            or length(sha) = 64 and length(regexp_replace(sha, '[0-9a-f]+', '')) = 0
        ) as sha_raro,
        not (
            acopio = '' and captura = '' and verificacion = ''
            or acopio <= captura and captura <= verificacion
            and substr(acopio, 1, 10) = substr(verificacion, 1, 10)
            and regexp_full_match(acopio, '[0-9]{2}/[0-9]{2}/[0-9]{4} [0-9]{2}:.*')
            and regexp_full_match(captura, '[0-9]{2}/[0-9]{2}/[0-9]{4} [0-9]{2}:.*')
            and regexp_full_match(verificacion, '[0-9]{2}/[0-9]{2}/[0-9]{4} [0-9]{2}:.*')
        ) as fecha_rara
    from actas where signo = 1
)
select lugar from marcadas
where capturada and (suma_rara or excede is true or sha_raro or fecha_rara) or pendiente_rara
order by lugar
