# El depósito: privado; sólo la CDN lee lo publicado, y nadie de fuera el historial.
resource "aws_s3_bucket" "publicado" {
  bucket = var.deposito

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_public_access_block" "publicado" {
  bucket                  = aws_s3_bucket.publicado.id
  block_public_acls       = true
  ignore_public_acls      = true
  block_public_policy     = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "publicado" {
  bucket = aws_s3_bucket.publicado.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "publicado" {
  bucket = aws_s3_bucket.publicado.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "publicado" {
  bucket = aws_s3_bucket.publicado.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_logging" "publicado" {
  bucket        = aws_s3_bucket.publicado.id
  target_bucket = aws_s3_bucket.bitacoras.id
  target_prefix = "deposito/"
  depends_on    = [aws_s3_bucket_policy.bitacoras]
}

resource "aws_s3_bucket_lifecycle_configuration" "publicado" {
  bucket     = aws_s3_bucket.publicado.id
  depends_on = [aws_s3_bucket_versioning.publicado]

  rule {
    id     = "envios-a-medias"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }

  # Lo vigente no vence por ninguna regla: ni lo publicado ni el historial (INE-II-a-ii-3a).
  rule {
    id     = "reemplazado"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.no_vigentes_dias
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  dynamic "rule" {
    for_each = var.historial_frio_desde == "" ? [] : [var.historial_frio_desde]

    content {
      id     = "historial"
      status = "Enabled"

      filter {
        prefix = trimprefix("${var.camino}/historico/", "/")
      }

      transition {
        date          = rule.value
        storage_class = "GLACIER_IR"
      }
    }
  }
}

data "aws_iam_policy_document" "publicado" {
  statement {
    sid       = "LaCdnLeeLoPublicado"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.publicado.arn}${var.camino}/*"]

    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudfront_distribution.cdn.arn]
    }
  }

  statement {
    sid       = "LaCdnNoLeeLoPrivado"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = ["${aws_s3_bucket.publicado.arn}${var.camino}/historico/*"]

    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com"]
    }
  }

  statement {
    sid       = "SoloCifrado"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.publicado.arn, "${aws_s3_bucket.publicado.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  statement {
    sid       = "SoloTls12"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.publicado.arn, "${aws_s3_bucket.publicado.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "NumericLessThan"
      variable = "s3:TlsVersion"
      values   = ["1.2"]
    }
  }
}

resource "aws_s3_bucket_policy" "publicado" {
  bucket     = aws_s3_bucket.publicado.id
  policy     = data.aws_iam_policy_document.publicado.json
  depends_on = [aws_s3_bucket_public_access_block.publicado]
}

# Las bitácoras: aparte, con sus días contados. Llevan direcciones de personas.
resource "aws_s3_bucket" "bitacoras" {
  bucket = "${var.deposito}-bitacoras"
}

resource "aws_s3_bucket_public_access_block" "bitacoras" {
  bucket                  = aws_s3_bucket.bitacoras.id
  block_public_acls       = true
  ignore_public_acls      = true
  block_public_policy     = true
  restrict_public_buckets = true
}

# CloudFront deja sus bitácoras con una ACL: por eso éste no es BucketOwnerEnforced.
resource "aws_s3_bucket_ownership_controls" "bitacoras" {
  bucket = aws_s3_bucket.bitacoras.id

  rule {
    object_ownership = "BucketOwnerPreferred"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "bitacoras" {
  bucket = aws_s3_bucket.bitacoras.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "bitacoras" {
  bucket = aws_s3_bucket.bitacoras.id

  rule {
    id     = "vencen"
    status = "Enabled"

    filter {}

    expiration {
      days = var.bitacora_dias
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }
}

data "aws_iam_policy_document" "bitacoras" {
  statement {
    sid       = "S3EscribeBitacoras"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.bitacoras.arn}/deposito/*"]

    principals {
      type        = "Service"
      identifiers = ["logging.s3.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.esta.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = [aws_s3_bucket.publicado.arn]
    }
  }

  statement {
    sid       = "SoloCifrado"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.bitacoras.arn, "${aws_s3_bucket.bitacoras.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "bitacoras" {
  bucket     = aws_s3_bucket.bitacoras.id
  policy     = data.aws_iam_policy_document.bitacoras.json
  depends_on = [aws_s3_bucket_public_access_block.bitacoras]
}
