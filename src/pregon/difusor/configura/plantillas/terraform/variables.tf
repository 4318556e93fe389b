variable "nombre" {
  description = "Con lo que comienzan los nombres de lo que se crea."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,31}$", var.nombre))
    error_message = "Minúsculas, cifras y guiones; de 2 a 32."
  }
}

variable "region" {
  description = "Región del depósito y del equipo."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "Una región, como mx-central-1."
  }
}

# --- Lo que se publica

variable "deposito" {
  description = "Nombre del depósito que se crea; no debe existir."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.deposito))
    error_message = "No es nombre de un depósito de S3."
  }
}

variable "camino" {
  description = "Carpeta del depósito en la que se publica, con una diagonal delante; vacía es la raíz."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(/[A-Za-z0-9._-]+)*$", var.camino))
    error_message = "Vacía, o como /prep2027."
  }
}

variable "no_vigentes_dias" {
  description = "Días que se conserva lo que un corte nuevo reemplazó."
  type        = number
  default     = 30

  validation {
    condition     = var.no_vigentes_dias >= 1
    error_message = "Al menos un día."
  }
}

variable "historial_frio_desde" {
  description = "Día (UTC, medianoche) desde el que el historial pasa a Glacier Instant Retrieval; vacío es nunca."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([0-9]{4}-[0-9]{2}-[0-9]{2}T00:00:00Z)?$", var.historial_frio_desde))
    error_message = "Vacío, o como 2027-08-01T00:00:00Z."
  }
}

variable "bitacora_dias" {
  description = "Días que se conservan las bitácoras de acceso."
  type        = number
  default     = 120
}

# --- La CDN

variable "nombres" {
  description = "Nombres públicos del portal."
  type        = list(string)

  validation {
    condition     = length(var.nombres) > 0
    error_message = "Hace falta al menos un nombre."
  }
}

variable "certificado_arn" {
  description = "Certificado de ACM de esos nombres; CloudFront lo pide en us-east-1."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:acm:us-east-1:[0-9]{12}:certificate/[0-9a-f-]+$", var.certificado_arn))
    error_message = "El ARN de un certificado de ACM en us-east-1."
  }
}

variable "tls_minimo" {
  description = "Lo mínimo que la CDN acepta de quien visita (INE-II-a-iii-1)."
  type        = string
  default     = "TLSv1.2_2021"

  validation {
    condition     = contains(["TLSv1.2_2021", "TLSv1.3_2025"], var.tls_minimo)
    error_message = "TLSv1.2_2021 o TLSv1.3_2025: nada menor."
  }
}

variable "comprime" {
  description = "Si la CDN comprime; no cuando se publica ya comprimido (codificacion = gzip)."
  type        = bool
  default     = false
}

variable "csp" {
  description = "Content-Security-Policy de cada respuesta."
  type        = string
}

variable "hsts_segundos" {
  description = "Segundos de Strict-Transport-Security; 0 no la envía."
  type        = number
  default     = 0
}

variable "indexable" {
  description = "No en un simulacro: pide a los buscadores que no lo guarden."
  type        = bool
  default     = true
}

variable "inmutable_segundos" {
  description = "Cuánto guarda la CDN lo que nunca cambia; 0 en un simulacro, que repite sus números."
  type        = number
  default     = 31536000
}

variable "bitacora_cdn" {
  description = "Si la CDN deja bitácora en el depósito de bitácoras; hay regiones en las que no puede."
  type        = bool
  default     = true
}

variable "escudo_region" {
  description = "Región de Origin Shield: una sola copia ante el depósito (us-east-1, us-west-2…); vacío es sin él."
  type        = string
  default     = ""
}

variable "web_acl_arn" {
  description = "WAF ya creado (capa 7, INE-II-a-iv-1); vacío es sin WAF. Shield Standard viene con CloudFront."
  type        = string
  default     = ""
}

# --- El equipo que recibe

variable "imagen" {
  description = "Imagen del difusor en ECR, con su huella (…/pregon@sha256:…)."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-z./_-]+(:[A-Za-z0-9._-]+)?(@sha256:[0-9a-f]{64})?$", var.imagen))
    error_message = "No es nombre de una imagen."
  }
}

variable "tipo_instancia" {
  description = "Equipo que recibe; 8 GiB de memoria bastan."
  type        = string
  default     = "t3.large"
}

variable "disco_gb" {
  description = "Disco del difusor; el historial pide al menos 20 GB (INE-II-a-ii-3b)."
  type        = number
  default     = 60

  validation {
    condition     = var.disco_gb >= 20
    error_message = "El historial pide al menos 20 GB (INE-II-a-ii-3b)."
  }
}

variable "red" {
  description = "Red privada del equipo."
  type        = string
  default     = "10.73.0.0/24"

  validation {
    condition     = can(cidrsubnet(var.red, 4, 0))
    error_message = "Una red como 10.73.0.0/24."
  }
}

variable "servicio_privado" {
  description = "Servicio de PrivateLink del instituto (INE-II-a-iii-2b); vacío es sin él."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(com\\.amazonaws\\.[a-z0-9.-]+)?$", var.servicio_privado))
    error_message = "Vacío, o como com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0."
  }
}

variable "dns_privado" {
  description = "Si el nombre público del servicio debe llevar a PrivateLink; el instituto dice si lo permite."
  type        = bool
  default     = false
}
