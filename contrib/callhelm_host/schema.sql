-- The tables of a Call-Helm host, as far as the integration meets them (PostgreSQL).
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TYPE subscription_tier AS ENUM ('starter', 'professional', 'enterprise');
CREATE TYPE member_role AS ENUM ('super_admin', 'org_admin', 'team_lead', 'agent', 'billing_admin');
CREATE TYPE contact_status AS ENUM ('active', 'inactive', 'do_not_call');
CREATE TYPE call_direction AS ENUM ('inbound', 'outbound', 'internal');
CREATE TYPE call_status AS ENUM (
    'answered', 'missed', 'voicemail', 'abandoned', 'busy', 'failed'
);

CREATE TABLE organizations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(255) NOT NULL,
    slug varchar(255) NOT NULL UNIQUE,
    settings jsonb NOT NULL DEFAULT '{}',
    subscription_tier subscription_tier NOT NULL DEFAULT 'starter',
    subscription_status varchar(50) NOT NULL DEFAULT 'active',
    three_cx_server_url varchar(255),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE profiles (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email varchar(255) NOT NULL UNIQUE,
    full_name varchar(255),
    phone varchar(50),
    is_system_admin boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE organization_members (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES profiles (id) ON DELETE CASCADE,
    role member_role NOT NULL DEFAULT 'agent',
    extension varchar(20),
    department varchar(100),
    is_active boolean NOT NULL DEFAULT true,
    metadata jsonb NOT NULL DEFAULT '{}',
    joined_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, user_id)
);
-- A later migration of the host:
ALTER TABLE organization_members
    ADD COLUMN phone varchar(50),
    ADD COLUMN phone_type varchar(20) CHECK (phone_type IN ('cell', '3cx_did', 'sip_uri')),
    ADD COLUMN sip_uri varchar(255),
    ADD COLUMN three_cx_extension varchar(20);

CREATE TABLE contacts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    first_name varchar(100),
    last_name varchar(100),
    full_name varchar(255) GENERATED ALWAYS AS (
        trim(coalesce(first_name, '') || ' ' || coalesce(last_name, ''))
    ) STORED,
    phone_number varchar(50) NOT NULL,
    email varchar(255),
    company varchar(255),
    address varchar(255),
    city varchar(100),
    state varchar(50),
    postal_code varchar(20),
    country varchar(50),
    status contact_status NOT NULL DEFAULT 'active',
    tags text[],
    notes text,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_by uuid REFERENCES organization_members (id),
    assigned_to uuid REFERENCES organization_members (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_contacts_phone ON contacts (phone_number);
CREATE INDEX idx_contacts_email ON contacts (email);
CREATE INDEX idx_contacts_full_name ON contacts USING gin (full_name gin_trgm_ops);

CREATE TABLE calls (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    member_id uuid REFERENCES organization_members (id),
    contact_id uuid REFERENCES contacts (id),
    direction call_direction NOT NULL,
    caller_number varchar(50) NOT NULL,
    called_number varchar(50) NOT NULL,
    start_time timestamptz NOT NULL,
    end_time timestamptz,
    duration integer,
    status call_status NOT NULL,
    recording_url text,
    transcription text,
    ai_summary text,
    ai_sentiment varchar(50),
    ai_keywords text[],
    ai_score numeric(3, 2),
    notes text,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_calls_organization_start ON calls (organization_id, start_time DESC);
CREATE INDEX idx_calls_member ON calls (member_id);
CREATE INDEX idx_calls_contact ON calls (contact_id);
