// The Spanish bank of the storyteller; same order as the English one.
import type { Bank } from './storyteller-bank.ts';

export const spanish: Bank = {
  friends: [
    { name: 'Chispa', intro: 'un pequeño dragón' },
    { name: 'Canelo', intro: 'un zorro joven' },
    { name: 'Bigotes', intro: 'un gato curioso' },
    { name: 'Trébol', intro: 'un conejo tímido' },
    { name: 'Bruno', intro: 'un oso redondo y pardo' },
    { name: 'Tuerca', intro: 'un robot amable' },
  ],
  places: [
    { to: 'hacia el viejo faro', at: 'junto al viejo faro', title: 'el viejo faro' },
    { to: 'hacia el bosque que susurra', at: 'en el bosque que susurra', title: 'el bosque que susurra' },
    {
      to: 'hacia el castillo de la colina',
      at: 'junto al castillo de la colina',
      title: 'el castillo de la colina',
    },
    { to: 'hacia las montañas azules', at: 'en las montañas azules', title: 'las montañas azules' },
    { to: 'hacia el jardín escondido', at: 'en el jardín escondido', title: 'el jardín escondido' },
    { to: 'hacia la isla de la bahía', at: 'en la isla de la bahía', title: 'la isla de la bahía' },
  ],
  things: [
    { a: 'una campanita de plata', the: 'la campanita de plata' },
    { a: 'un farolillo', the: 'el farolillo' },
    { a: 'una caracola que canta', the: 'la caracola que canta' },
    { a: 'una estrella caída', the: 'la estrella caída' },
    { a: 'un globo rojo', the: 'el globo rojo' },
    { a: 'una llave de oro', the: 'la llave de oro' },
  ],
  helpers: [
    'una vieja lechuza',
    'una abeja atareada',
    'una tortuga paciente',
    'una ballena alegre',
    'un caracol diminuto',
  ],
  obstacles: [
    {
      block: 'Un río muy ancho cruzaba el camino.',
      attempt: 'Intentaron saltar, y ¡plas!, al agua.',
      fix: 'Hicieron una balsa con ramas.',
    },
    {
      block: 'Una niebla espesa tapaba el camino.',
      attempt: 'Caminaron en círculo, dos veces.',
      fix: 'Se dieron la mano y siguieron la canción del viento.',
    },
    {
      block: 'Una puerta muy alta estaba cerrada.',
      attempt: 'Empujaron y empujaron, y la puerta solo crujió.',
      fix: 'Encontraron un hueco bajo la hiedra y pasaron por él.',
    },
    {
      block: 'Un viento fuerte los empujaba hacia atrás.',
      attempt: 'Avanzaron, y rodaron como bellotas.',
      fix: 'Caminaron muy cerca el uno del otro, paso a paso.',
    },
  ],
  titles: [
    '{name} y {placeTitle}',
    '{name}, {friend} y {thing}',
    'La noche en que {name} conoció a {friend}',
    '{friend} necesita a {name}',
  ],
  morals: [
    'Los pasos pequeños, dados en compañía, llegan muy lejos.',
    'Pedir ayuda es cosa de valientes.',
    'Una palabra amable abre más puertas que una llave.',
    'Cuando un plan falla, bastan un amigo y otra idea.',
  ],
  moments: {
    open: [
      [
        '{name} quería un cuento sobre «{theme}». Entonces algo llamó a la ventana.',
        'Toc, toc, toc, muy bajito, como una pregunta.',
        'El cuarto estaba en silencio, la luna estaba alta, y {name} ya no tenía nada de sueño, como pasa cuando una aventura ha decidido empezar.',
      ],
      [
        '{name} soñaba con «{theme}». Un viento cálido entró y dijo: «¡Ven!».',
        'Las cortinas bailaban, y las zapatillas esperaban junto a la cama.',
        'Nadie más lo había oído en la casa, y eso quería decir una sola cosa: el mensaje era para {name} y para nadie más en el mundo.',
      ],
    ],
    sign: [
      [
        'Unas lucecitas marcaban el camino. {name} las siguió.',
        'Una, dos, tres, parpadeaban y esperaban con paciencia en cada esquina.',
        'Cuando {name} se paraba a mirar, las luces también se paraban, como si supieran que asombrarse es parte del viaje.',
      ],
      [
        'Había huellas en la hierba. ¿De quién serían?',
        'Eran muy redondas para un pájaro y muy ligeras para una vaca.',
        '{name} miró de cerca y vio que cada siete huellas había un saltito: a quien pasó por allí le gustaba la música.',
      ],
    ],
    meet: [
      [
        'Allí estaba {friend}, {intro}. «He perdido {thing}», dijo {friend}.',
        '«Sin eso no puedo dormir», añadió {friend} con un suspiro.',
        '{name} se sentó a su lado y escuchó toda la historia desde el principio, porque una pena escuchada pesa la mitad.',
      ],
      [
        '«Hola», dijo {friend}, {intro}. «¿Me ayudas? Busco {thing}».',
        '{name} dijo que sí enseguida, y se dieron la mano tres veces, para la suerte.',
        'Faltaba desde la última luna nueva, explicó {friend}, y tres planes muy listos habían salido mal, uno de ellos con muchísima mermelada.',
      ],
    ],
    travel: [
      [
        'Se fueron {to}. ¡Un paso, otro paso y un salto!',
        '{friend} sabía una canción para caminar, y {name} inventó otra estrofa.',
        'Detrás de ellos las casas se hacían pequeñas como terrones de azúcar, y delante el mundo crecía en cada curva.',
      ],
      [
        '«Hay que ir {to}», dijo {friend}. Y allá fueron.',
        'Por el camino compartieron una manzana, y la mitad más grande fue para quien tenía más hambre.',
        'El mapa solo mostraba la mitad del camino, la otra había que adivinarla, y {name} adivinaba sorprendentemente bien.',
      ],
    ],
    play: [
      [
        'Había una colina verde y suave. ¡Rodaron entre risas!',
        'Rodaron siete veces, mientras las nubes miraban.',
        'Por un rato olvidaron lo que buscaban, y estaba muy bien así, porque se busca mejor con risas en los bolsillos.',
      ],
      [
        'Un charco brillaba como un espejo. ¡Plas, hicieron {name} y {friend}!',
        'Cada gota atrapaba un trozo de cielo y lo lanzaba al aire.',
        'Luego se secaron al sol y se contaron tres secretos, dos pequeños y uno bastante grande.',
      ],
    ],
    obstacle: [
      [
        '{block} «¡Ay, no!», dijo {friend}.',
        '{name} respiró hondo y contó hasta cinco.',
        'Ninguno de los dos dijo que prefería volver, y como ninguno lo dijo, los dos se quedaron.',
      ],
      [
        'Entonces tuvieron que parar. {block}',
        '«Mmm», dijo {name}. «Mmm», dijo {friend}, porque dos mmm valen más que uno.',
        'Era uno de esos problemas que crecen cuando los miras mucho, así que {name} lo miró con un solo ojo.',
      ],
    ],
    attempt: [
      [
        '{attempt} ¡No funcionó!',
        'Se miraron, y les dio la risa.',
        '«Ahora sabemos lo que no funciona», dijo {name}, «y eso es más de lo que sabíamos esta mañana».',
      ],
      [
        'Probaron de la manera rápida. {attempt}',
        '{friend} quiso protestar, pero solo le salió un hipo.',
        'No es fácil sonreír con hojas en el pelo, pero {name} y {friend} lo lograron en un minuto y medio.',
      ],
    ],
    helper: [
      [
        'Entonces llegó {helper}. «Probad juntos», fue el consejo.',
        'Sonó tan amable que hasta el viento escuchó.',
        '«Vivo aquí desde hace mucho», siguió la voz, «y nunca he visto un problema que no tenga miedo de dos amigos con una idea».',
      ],
      [
        '«¿Puedo ayudar?» ¡Era {helper}!',
        '{name} dijo «sí, por favor», porque la gente valiente lo dice a menudo.',
        'Pensaron los tres a la vez, y la idea brilló tres veces más.',
      ],
    ],
    solve: [
      [
        '{name} tuvo una idea. {fix}',
        '«¡Funciona!», gritó {friend}, y dio una voltereta.',
        'Hizo falta paciencia, e hicieron falta los dos, y al terminar {name} sintió que había crecido un poco.',
      ],
      [
        '«¡Ya lo sé!», dijo {name}. {fix}',
        'Despacio, despacio y de pronto, ya estaba.',
        '{friend} miró atrás, hacia el problema, que desde este lado parecía bastante pequeño, y le dijo adiós con educación.',
      ],
    ],
    find: [
      [
        'Allí, {at}, estaba {theThing}. ¡{friend} saltó de alegría!',
        'Brillaba como si solo esperara a los dos amigos indicados.',
        '{name} tomó el tesoro con las dos manos, con mucho cuidado, y por un momento todo contuvo la respiración.',
      ],
      [
        'Algo brillaba {at}. ¡Era {theThing}!',
        '«¡Tú sí que sabes buscar!», dijo {friend}. «Los dos sabemos», dijo {name}.',
        'El largo camino y todas las vueltas tuvieron sentido de pronto, como un puzle cuando encaja la última pieza.',
      ],
    ],
    feast: [
      [
        'Hubo pastel y fresas. ¡Vinieron todos!',
        'Los grillos tocaban, y {friend} bailaba de puntillas.',
        'Hasta los más tímidos salieron de detrás de sus árboles, y cuando salió la primera estrella ya no había desconocidos.',
      ],
      [
        'Todos cantaron para {name} y {friend}. ¡Qué canción tan alegre!',
        'Tenía un estribillo largo, para que todos cantaran.',
        '{name} no conocía la letra, pero sabía muy bien cómo seguía, porque las canciones de gracias suenan igual en todas partes.',
      ],
    ],
    home: [
      [
        'Después {name} volvió a la cama. Buenas noches, {name}. ¡Buenas noches, {friend}!',
        'Y en el sueño seguía el cuento: «{theme}», como debe ser.',
        'Dicen que en las noches claras una lucecita pasea por el camino y se detiene un momento bajo la ventana donde duerme {name}.',
      ],
      [
        '{name} tenía sueño y mucha alegría. «Hasta mañana», dijo {friend}.',
        'La luna arropó las colinas, y el cuento sobre «{theme}» se acurrucó a los pies de la cama.',
        '{name} pensó en todo, del primer paso al último, y se durmió más o menos por la mitad, que era la parte más bonita.',
      ],
    ],
  },
};
