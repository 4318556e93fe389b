# El equipo que recibe: uno, sin puertos abiertos; entra quien administra por Session Manager. No hay funciones.
data "aws_ssm_parameter" "sistema" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

resource "aws_vpc" "red" {
  cidr_block           = var.red
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = {
    Name = var.nombre
  }
}

resource "aws_internet_gateway" "red" {
  vpc_id = aws_vpc.red.id
}

resource "aws_subnet" "red" {
  vpc_id            = aws_vpc.red.id
  cidr_block        = cidrsubnet(var.red, 4, 0)
  availability_zone = data.aws_availability_zones.hay.names[0]
}

resource "aws_route_table" "red" {
  vpc_id = aws_vpc.red.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.red.id
  }
}

resource "aws_route_table_association" "red" {
  subnet_id      = aws_subnet.red.id
  route_table_id = aws_route_table.red.id
}

resource "aws_vpc_endpoint" "deposito" {
  vpc_id            = aws_vpc.red.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${var.region}.s3"
  route_table_ids   = [aws_route_table.red.id]
}

resource "aws_security_group" "equipo" {
  name_prefix = "${var.nombre}-"
  description = "Nadie entra; sale por 443"
  vpc_id      = aws_vpc.red.id

  egress {
    description = "HTTPS"
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["0.0.0.0/0"]
  }
}

# PrivateLink hacia el repositorio del instituto (INE-II-a-iii-2b).
resource "aws_security_group" "privado" {
  count       = var.servicio_privado == "" ? 0 : 1
  name_prefix = "${var.nombre}-privado-"
  description = "El servicio del instituto por PrivateLink"
  vpc_id      = aws_vpc.red.id

  ingress {
    description     = "HTTPS"
    protocol        = "tcp"
    from_port       = 443
    to_port         = 443
    security_groups = [aws_security_group.equipo.id]
  }
}

resource "aws_vpc_endpoint" "privado" {
  count               = var.servicio_privado == "" ? 0 : 1
  vpc_id              = aws_vpc.red.id
  vpc_endpoint_type   = "Interface"
  service_name        = var.servicio_privado
  subnet_ids          = [aws_subnet.red.id]
  security_group_ids  = [aws_security_group.privado[0].id]
  private_dns_enabled = var.dns_privado
}

data "aws_iam_policy_document" "asume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "publica" {
  statement {
    sid       = "Lista"
    actions   = ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation"]
    resources = [aws_s3_bucket.publicado.arn]
  }

  statement {
    sid = "Publica"
    actions = [
      "s3:GetObject",
      "s3:PutObject",
      "s3:DeleteObject",
      "s3:AbortMultipartUpload",
      "s3:ListMultipartUploadParts",
    ]
    resources = ["${aws_s3_bucket.publicado.arn}${var.camino}/*"]
  }

  statement {
    sid       = "LosOriginalesNoSeBorran"
    effect    = "Deny"
    actions   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    resources = ["${aws_s3_bucket.publicado.arn}${var.camino}/historico/????/*"]
  }

  statement {
    sid       = "Purga"
    actions   = ["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"]
    resources = [aws_cloudfront_distribution.cdn.arn]
  }
}

resource "aws_iam_role" "equipo" {
  name_prefix        = "${var.nombre}-"
  assume_role_policy = data.aws_iam_policy_document.asume.json
}

resource "aws_iam_role_policy" "publica" {
  name   = "publica"
  role   = aws_iam_role.equipo.id
  policy = data.aws_iam_policy_document.publica.json
}

resource "aws_iam_role_policy_attachment" "equipo" {
  for_each   = toset(["AmazonSSMManagedInstanceCore", "AmazonEC2ContainerRegistryPullOnly"])
  role       = aws_iam_role.equipo.name
  policy_arn = "arn:${data.aws_partition.esta.partition}:iam::aws:policy/${each.value}"
}

resource "aws_iam_instance_profile" "equipo" {
  name_prefix = "${var.nombre}-"
  role        = aws_iam_role.equipo.name
}

resource "aws_instance" "equipo" {
  ami                         = data.aws_ssm_parameter.sistema.insecure_value
  instance_type               = var.tipo_instancia
  iam_instance_profile        = aws_iam_instance_profile.equipo.name
  subnet_id                   = aws_subnet.red.id
  vpc_security_group_ids      = [aws_security_group.equipo.id]
  associate_public_ip_address = true
  user_data                   = templatefile("${path.module}/arranque.sh.tftpl", { imagen = var.imagen })

  # Dos saltos: el contenedor pide sus credenciales a la máquina.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
  }

  root_block_device {
    volume_size = 20
    volume_type = "gp3"
    encrypted   = true
  }

  ebs_block_device {
    device_name           = "/dev/sdf"
    volume_size           = var.disco_gb
    volume_type           = "gp3"
    encrypted             = true
    delete_on_termination = false
  }

  tags = {
    Name = var.nombre
  }

  depends_on = [aws_route_table_association.red]

  # Un sistema más nuevo no reemplaza el equipo a media noche: se cambia cuando quien administra lo decide.
  lifecycle {
    ignore_changes = [ami, user_data]
  }
}

resource "aws_cloudwatch_metric_alarm" "equipo" {
  alarm_name          = "${var.nombre}-no-responde"
  alarm_description   = "El sistema del equipo no responde; se reinicia solo"
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed_Instance"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  alarm_actions       = ["arn:${data.aws_partition.esta.partition}:automate:${var.region}:ec2:reboot"]

  dimensions = {
    InstanceId = aws_instance.equipo.id
  }
}
