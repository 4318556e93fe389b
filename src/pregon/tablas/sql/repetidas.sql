-- CLAVE_ACTA and images (SHA) that more than one acta has, in the order in which they come first.
select 'clave' as que, clave_acta as texto, count(*) as veces, min(lugar) as primera from actas
where estado <> 'fuera_catalogo' and clave_acta not in ('', '-', '--', 'N/A', 'n/a')
group by clave_acta having count(*) > 1
union all
select 'sha' as que, sha as texto, count(*) as veces, min(lugar) as primera from actas
where estado in ('contabilizada', 'no_contabilizada') and sha not in ('', '-', '--', 'N/A', 'n/a')
group by sha having count(*) > 1
order by que, primera
