-- Where each unit comes first in the file: its name and its entidad are read there.
select unidad, min(lugar) from actas where unidad <> '' group by unidad
