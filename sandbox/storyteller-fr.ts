// The French bank of the storyteller; same order as the English one.
import type { Bank } from './storyteller-bank.ts';

export const french: Bank = {
  friends: [
    { name: 'Braise', intro: 'un petit dragon' },
    { name: 'Roussi', intro: 'un jeune renard' },
    { name: 'Moustache', intro: 'un chat curieux' },
    { name: 'Trèfle', intro: 'un lapin timide' },
    { name: 'Bruno', intro: 'un gros ours brun' },
    { name: 'Boulon', intro: 'un gentil robot' },
  ],
  places: [
    { to: 'vers le vieux phare', at: 'près du vieux phare', title: 'le vieux phare' },
    { to: 'vers la forêt qui chuchote', at: 'dans la forêt qui chuchote', title: 'la forêt qui chuchote' },
    {
      to: 'vers le château sur la colline',
      at: 'près du château sur la colline',
      title: 'le château sur la colline',
    },
    { to: 'vers les montagnes bleues', at: 'dans les montagnes bleues', title: 'les montagnes bleues' },
    { to: 'vers le jardin caché', at: 'dans le jardin caché', title: 'le jardin caché' },
    { to: "vers l'île de la baie", at: "sur l'île de la baie", title: "l'île de la baie" },
  ],
  things: [
    { a: "une petite cloche d'argent", the: "la petite cloche d'argent" },
    { a: 'une petite lanterne', the: 'la petite lanterne' },
    { a: 'un coquillage qui chante', the: 'le coquillage qui chante' },
    { a: 'une étoile tombée du ciel', the: "l'étoile tombée du ciel" },
    { a: 'un ballon rouge', the: 'le ballon rouge' },
    { a: "une clé d'or", the: "la clé d'or" },
  ],
  helpers: [
    'une vieille chouette',
    'une abeille affairée',
    'une tortue patiente',
    'une baleine joyeuse',
    'un tout petit escargot',
  ],
  obstacles: [
    {
      block: 'Une large rivière coupait le chemin.',
      attempt: 'Ils essayèrent de sauter, et plouf !',
      fix: 'Ils construisirent un radeau avec des branches.',
    },
    {
      block: 'Un brouillard épais cachait le chemin.',
      attempt: 'Ils tournèrent en rond, deux fois.',
      fix: 'Ils se donnèrent la main et suivirent la chanson du vent.',
    },
    {
      block: 'Une haute grille était bien fermée.',
      attempt: 'Ils poussèrent et poussèrent, et la grille grinça seulement.',
      fix: 'Ils trouvèrent un passage sous le lierre et se faufilèrent.',
    },
    {
      block: 'Un vent très fort les repoussait toujours.',
      attempt: 'Ils avancèrent, puis roulèrent comme des glands.',
      fix: "Ils marchèrent tout près l'un de l'autre, pas à pas.",
    },
  ],
  titles: [
    '{name} et {placeTitle}',
    '{name}, {friend} et {thing}',
    'La nuit où {name} rencontra {friend}',
    '{friend} a besoin de {name}',
  ],
  morals: [
    'De petits pas faits ensemble mènent très loin.',
    "Demander de l'aide est un acte de courage.",
    "Un mot gentil ouvre plus de portes qu'une clé.",
    'Quand un plan échoue, un ami et une autre idée suffisent.',
  ],
  moments: {
    open: [
      [
        '{name} voulait une histoire sur « {theme} ». Alors on frappa à la fenêtre.',
        'Toc, toc, toc, tout doucement, comme une question.',
        'La chambre était calme, la lune était haute, et {name} ne dormait plus du tout, comme cela arrive quand une aventure a déjà décidé de commencer.',
      ],
      [
        '{name} rêvait de ceci : « {theme} ». Un vent doux entra et dit : « Viens ! »',
        'Les rideaux dansaient, et les pantoufles attendaient au pied du lit.',
        "Personne d'autre ne l'avait entendu dans la maison, et cela voulait dire une seule chose : le message était pour {name} et pour personne d'autre au monde.",
      ],
    ],
    sign: [
      [
        'De petites lumières montraient le chemin. {name} les suivit.',
        'Une, deux, trois, elles clignotaient et attendaient poliment à chaque tournant.',
        "Quand {name} s'arrêtait pour regarder, les lumières s'arrêtaient aussi, comme si elles savaient que s'étonner fait partie du voyage.",
      ],
      [
        "Il y avait des traces dans l'herbe. À qui étaient-elles ?",
        'Elles étaient trop rondes pour un oiseau et trop légères pour une vache.',
        '{name} regarda de plus près : une trace sur sept faisait un petit bond, donc celui qui passait par là aimait la musique.',
      ],
    ],
    meet: [
      [
        "Là, il y avait {friend}, {intro}. « J'ai perdu {thing} », dit {friend}.",
        '« Sans cela, je ne peux pas dormir », ajouta {friend} en reniflant.',
        "{name} s'installa à côté et écouta toute l'histoire depuis le début, car un chagrin que l'on écoute est déjà deux fois moins lourd.",
      ],
      [
        "« Bonjour », dit {friend}, {intro}. « Tu m'aides ? Je cherche {thing}. »",
        '{name} dit oui tout de suite, et ils se serrèrent la main trois fois, pour la chance.',
        'Cela durait depuis la dernière lune, expliqua {friend}, et trois plans très malins avaient déjà échoué, dont un avec beaucoup de confiture.',
      ],
    ],
    travel: [
      [
        'Ils partirent {to}. Un pas, deux pas, hop !',
        '{friend} connaissait une chanson de marche, et {name} inventa un deuxième couplet.',
        'Derrière eux les maisons devenaient petites comme des morceaux de sucre, et devant eux le monde grandissait à chaque virage.',
      ],
      [
        '« Il faut aller {to} », dit {friend}. Alors ils y allèrent.',
        'En chemin ils partagèrent une pomme, et la plus grosse moitié alla à celui qui avait le plus faim.',
        "La carte ne montrait que la moitié du chemin, il fallait deviner l'autre, et {name} devinait étonnamment bien.",
      ],
    ],
    play: [
      [
        'Il y avait une colline verte et douce. Ils roulèrent en riant !',
        'Ils roulèrent sept fois, sous les yeux des nuages.',
        "Un moment ils oublièrent ce qu'ils cherchaient, et c'était très bien ainsi, car on cherche mieux avec des rires plein les poches.",
      ],
      [
        'Une flaque brillait comme un miroir. Plouf, firent {name} et {friend} !',
        "Chaque goutte attrapait un bout de ciel et le lançait en l'air.",
        'Ensuite ils se séchèrent au soleil et se dirent trois secrets, deux petits et un plutôt grand.',
      ],
    ],
    obstacle: [
      [
        '{block} « Oh non ! » dit {friend}.',
        "{name} respira bien fort et compta jusqu'à cinq.",
        "Aucun des deux ne dit qu'il préférait rentrer, et comme aucun ne le dit, ils restèrent tous les deux.",
      ],
      [
        "Puis il fallut s'arrêter. {block}",
        "« Hum », dit {name}. « Hum », dit {friend}, car deux hums valent mieux qu'un.",
        "C'était un de ces ennuis qui grandissent quand on les fixe, alors {name} le regarda d'un seul œil.",
      ],
    ],
    attempt: [
      [
        '{attempt} Raté !',
        'Ils se regardèrent, puis ils se mirent à rire.',
        "« Maintenant nous savons ce qui ne marche pas », dit {name}, « et c'est plus que ce matin. »",
      ],
      [
        'Ils essayèrent le chemin le plus rapide. {attempt}',
        "{friend} voulait grogner, mais il ne sortit qu'un hoquet.",
        "Ce n'est pas facile de sourire avec des feuilles dans les cheveux, mais {name} et {friend} y arrivèrent en une minute et demie.",
      ],
    ],
    helper: [
      [
        'Alors arriva {helper}. « Essayez ensemble », dit une voix douce.',
        "C'était dit si gentiment que même le vent écouta.",
        "« Je vis ici depuis très longtemps », dit encore la voix, « et je n'ai jamais vu un ennui qui n'ait pas peur de deux amis avec une idée. »",
      ],
      [
        "« Je peux aider ? » C'était {helper} !",
        '{name} dit « oui, merci », car les gens courageux le disent souvent.',
        'Ils réfléchirent tous les trois en même temps, et la pensée devint trois fois plus claire.',
      ],
    ],
    solve: [
      [
        '{name} eut une idée. {fix}',
        '« Ça marche ! » cria {friend} en faisant une culbute.',
        "Il fallut de la patience, il fallut être deux, et quand ce fut fait, {name} se sentit capable de tout, comme on l'est après un exploit.",
      ],
      [
        '« Je sais ! » dit {name}. {fix}',
        "Doucement, doucement, et puis d'un coup, c'était fait.",
        "{friend} se retourna vers l'ennui, qui semblait bien petit de ce côté, et lui fit poliment au revoir.",
      ],
    ],
    find: [
      [
        'Là, {at}, il y avait {theThing} ! {friend} sauta de joie.',
        'Quelle lumière ! Le trésor attendait sans doute les deux bons amis.',
        '{name} le prit à deux mains, avec beaucoup de soin, et pendant un instant tout retint son souffle.',
      ],
      [
        "Quelque chose brillait {at}. C'était {theThing} !",
        '« Tu as trouvé ! » dit {friend}. « Nous avons trouvé », dit {name}.',
        'Le long chemin et tous les détours eurent soudain un sens, comme un puzzle quand la dernière pièce fait clic.',
      ],
    ],
    feast: [
      [
        'Il y eut du gâteau et des fraises. Tout le monde vint !',
        'Les grillons jouaient, et {friend} dansait sur la pointe des pieds.',
        "Même les plus timides sortirent de derrière leurs arbres, et quand la première étoile se leva, il n'y avait plus d'inconnus.",
      ],
      [
        'Tous chantèrent pour {name} et {friend}. Quelle belle chanson !',
        'Elle avait un long refrain, pour que chacun puisse chanter.',
        '{name} ne connaissait pas les paroles, mais savait très bien la suite, car les chansons de merci se ressemblent partout.',
      ],
    ],
    home: [
      [
        'Puis {name} rentra se coucher. Bonne nuit, {name}. Bonne nuit, {friend} !',
        'Et dans le rêve il y avait encore « {theme} », comme il se doit.',
        "On dit que par les nuits claires une petite lumière se promène sur le chemin et s'arrête un moment sous la fenêtre où dort {name}.",
      ],
      [
        'Quelle belle journée pour {name} ! « À demain », dit {friend}.',
        "La lune borda les collines, et l'histoire sur « {theme} » se roula en boule au pied du lit.",
        "{name} repensa à tout, du premier pas au dernier, et s'endormit quelque part au milieu, là où c'était le plus beau.",
      ],
    ],
  },
};
